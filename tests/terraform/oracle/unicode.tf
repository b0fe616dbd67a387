locals {
  größe   = "ü"
  日本     = { 鍵 = "値${local.größe}" }
  emoji   = "👩‍👩‍👧 ${var.x} é"
  after   = local.größe # ünïcode
  heredoc = <<-ÜBER
    ünder
      ${local.日本}
  ÜBER
}
