locals {
  arithmetic  = 1 + 2 * 3 - 4 / 5 % 6
  grouping    = (1 + 2) * -3
  comparison  = var.a < 1 && var.b >= 2 || !var.c == var.d
  equality    = var.a == var.b != var.c
  negation    = !!var.a
  minus       = - -var.a
  conditional = var.a ? var.b : var.c ? var.d : var.e
  condition   = var.a ? var.b ? 1 : 2 : 3
  mixed       = var.a || var.b ? var.c + 1 : var.d && var.e
  calls       = concat([], var.a, [f()], g(1, 2,), h(var.l...))
  provider    = provider::terraform::encode_expr({ a = 1 })
  index       = var.a[0]["k"][var.b].c.d[local.e + 1]
  legacy      = var.a.0.b.1
  splat       = var.a[*].b[0].c
  splat_only  = var.a[*]
  attr_splat  = var.a.*.b.c
  attr_index  = var.a.*.b[0]
  splat_call  = f(var.a)[*].b
  splat_twice = var.a[*].b[*].c
  call_index  = f(var.a).b[0]
  list_for    = [for x in var.a : upper(x) if x != ""]
  list_for_kv = [for i, x in var.a : "${i}-${x}"]
  map_for     = { for k, v in var.a : k => v }
  map_group   = { for k, v in var.a : v.x => k... if v.y }
  for_nested  = [for a in var.a : [for b in a : b]]
  objects     = { a = 1, "b" = 2, (var.c) = 3, "d-${var.d}" = 4, e : 5, 6 = 7, true = 8 }
  dotted_key  = { (a.b) = 1 }
  lines = {
    a = 1
    b = 2,
    c : [
      1,
      2,
    ]

    # a comment
    d = {} // another
  }
  empty_list = []
  parens     = ((var.a))
  over_lines = (
    var.a +
    var.b
  )
  call_lines = merge(
    var.a,
    {
      b = 1
    },
  )
  conditional_lines = (
    var.a
    ? var.b
    : var.c
  )
  numbers     = [0, 1, 1.5, 1e3, 1E-3, 1.5e+2, 123456789012, 0.1]
  words       = [true, false, null]
  keywords    = { in = 1, if = 2, for = 3 }
  keyed       = var.for.in.if
  dashes      = foo-bar.baz-qux
  tight       = 1-2
  tight_names = a-b
  string_key  = var.a["x.y"].z
  template_index = var.a["x${var.b}"]
  relative    = { a = 1 }.a
  list_index  = [1, 2, 3][1]
  string_call = "${f("x")}"
  not_equal   = var.a != null
  call_splat  = f(var.a[*].b...)
}
