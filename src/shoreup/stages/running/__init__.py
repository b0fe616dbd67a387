"""Operations as commands ask for them: begun, asked after, and queued when they are due."""
