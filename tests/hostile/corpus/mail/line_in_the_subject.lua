-- class: mail
-- tries: to add a header by a line break in the subject
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  for _, line in ipairs({ "\r\n", "\n", "\r", "\u{85}", "\u{2028}", "\0", "\v", "\f" }) do
    local msg = core.email.new():to("ops@shop.example"):text("x")
    if msg:subject("Hello" .. line .. "X-Injected: 1"):send() then return job.OK, line:byte() end
  end
  return job.OK, "held"
end

return job
