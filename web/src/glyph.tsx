/** The outline that a kind of thing has in the picture, small. */
const PATHS: Record<string, string> = {
  "way in": "M1 1h10l4 5-4 5H1z",
  middleware: "M4 1h8l3 5-3 5H4L1 6z",
  service: "M8 1c4 0 7 2 7 5s-3 5-7 5-7-2-7-5 3-5 7-5z",
  database: "M1 2c3-1.5 11-1.5 14 0v8c-3 1.5-11 1.5-14 0z",
  volume: "M1 1h14v7c0 2-1 3-3 3H4c-2 0-3-1-3-3z",
  server: "M4 1h8l3 3v4l-3 3H4L1 8V4z",
  config: "M1 1h14v10H1z",
};
const ROUND = "M4 1h8c2 0 3 1 3 3v4c0 2-1 3-3 3H4c-2 0-3-1-3-3V4c0-2 1-3 3-3z";

export function Glyph({ kind }: { kind: string }) {
  return (
    <svg class="glyph" viewBox="0 0 16 12" aria-hidden="true">
      <path d={PATHS[kind] ?? ROUND} />
    </svg>
  );
}
