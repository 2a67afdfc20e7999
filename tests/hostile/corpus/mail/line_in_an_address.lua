-- class: mail
-- tries: to add a recipient by a line break in an address
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local addresses = {
    "ops@shop.example\r\nBcc: victim@evil.example", "ops@shop.example>\r\nRCPT TO:<victim@evil.example", "ops@shop.example\nRCPT TO:<v@evil.example>",
    "<ops@shop.example>, victim@evil.example", "ops@shop.example,victim@evil.example", "ops@shop.example; victim@evil.example",
    "ops@shop.example\0", "victim@evil.example (ops@shop.example)\r\n", '"a\r\nb"@shop.example', "ops: victim@evil.example;",
  }
  for _, address in ipairs(addresses) do
    for _, method in ipairs({ "to", "cc", "bcc", "from", "replyTo" }) do
      local msg = core.email.new():to("ops@shop.example"):text("x")
      if msg[method](msg, address):send() then return job.OK, { method, address } end
    end
  end
  return job.OK, "held"
end

return job
