-- class: mail
-- tries: to add a header by the tag
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  for _, tag in ipairs({ "a\r\nX-Injected: 1", "a\nBcc: victim@evil.example", "a\0", ("x"):rep(100000) }) do
    if core.email.new():to("ops@shop.example"):text("x"):tag(tag):send() then return job.OK, tag:sub(1, 20) end
  end
  return job.OK, "held"
end

return job
