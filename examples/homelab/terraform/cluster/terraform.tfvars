nas_address = "192.168.20.5"

gpu_nodes = {
  forge = { model = "rtx-3060", gpus = 1 }
  ember = { model = "p400", gpus = 1 }
}
