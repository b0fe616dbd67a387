locals {
  a = "x"
  b = <<EOT
one
  two
EOT
  c = [
    1,
    2
  ]
}
