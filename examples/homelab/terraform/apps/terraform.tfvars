postgres_version = "17.10"

model_api_key = "sk-lab-FAKE0000b7Qm2xZr9TnV4kWc8YdE1uHs6PjL3aGf"

vpn_peers = {
  phone  = "10.13.0.2"
  laptop = "10.13.0.3"
  tablet = "10.13.0.4"
  guest  = "10.13.0.20"
}
