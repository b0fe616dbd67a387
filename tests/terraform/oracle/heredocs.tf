locals {
  plain = <<EOT
  kept indentation
    ${var.a} and $${not} and %%{neither} and "quotes" and \n backslashes
EOT
  flush = <<-EOT
    first
      second ${var.b}
    third
  EOT
  flush_blank = <<-EOT
      deep

    shallow

  EOT
  flush_tabs = <<-EOT
	tab
	  tab and spaces
	EOT
  flush_interpolated_start = <<-EOT
      ${var.a} first
    ${var.b}
        last
  EOT
  empty       = <<EOT
EOT
  empty_flush = <<-EOT
  EOT
  single      = <<X
x
X
  directives = <<-EOT
    %{for name in var.names~}
    server ${name}
    %{endfor~}
    %{if var.x}yes%{else}no%{endif}
    end
  EOT
  trimmed = <<-EOT
    a   ${~ var.x ~}   b
    %{~ if var.y ~}
      inner
    %{~ endif ~}
    c
  EOT
  nested = <<-EOT
    ${jsonencode({ a = <<-INNER
      inside ${var.z}
      INNER
    })}
    after
  EOT
  looks_like_the_end = <<EOT
  EOT.
 EOTX
EOT
  in_call = trimspace(<<-EOT
    x
  EOT
  )
  in_list = [<<-A
    one
    A
    , <<-B
    two
    B
  ]
  dollar    = <<EOT
$ $5 $$ $${ $$${var.x} %% % %5
EOT
  carriage  = "after"
}
