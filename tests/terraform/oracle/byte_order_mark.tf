# a mark at the start
locals {
  a = 1
}