# Comments of every kind, blocks of every shape.
// second
/* third
   over lines */
terraform { required_version = ">= 1.5" }

resource "a" "one" {}
resource "a" "two" { count = 1 }
resource a three {
  x = 1
}
resource "b" "one" { # trailing
  x = 1 // trailing
  y = 2 /* trailing */
  /* leading */ z = 3

  dynamic "d" {
    for_each = var.x
    iterator = it
    labels   = ["a"]
    content {
      v = it.value
      inner { w = 1 }
      inner { w = 2 }
    }
  }
  dynamic "d" {
    for_each = []
    content {}
  }
  dynamic "e" {
    for_each = {}
    content {}
  }
  nested {
    deeper {
      deepest {
        a = "b"
      }
    }
  }
  labelled "x" "y" {
    a = 1
  }
  labelled "x" "z" {
    a = 2
  }
}

module "m" {
  source = "./m"
  providers = {
    aws = aws.east
  }
}
variable "v" {
  type = object({
    a = string
    b = optional(number, 1)
    c = list(map(any))
  })
  default = null
  validation {
    condition     = can(regex("^[a-z]+$", var.v.a))
    error_message = "no"
  }
}
output "o" {
  value = [for x in a.one : x][0]
}
unusual-name "with.dots and spaces" "" {}
moved {
  from = a.one
  to   = a.two
}
locals {}
locals { a = 1 }
locals {
  b = 2
}
