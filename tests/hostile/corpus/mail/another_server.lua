-- class: mail
-- tries: to send by a server that the operator did not name
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local msg = core.email.new("key", "evil.example", "127.0.0.1:" .. run.data.port)
  msg.host, msg.port, msg.server = "127.0.0.1", run.data.port, "127.0.0.1:" .. run.data.port
  local sent = msg:to("ops@shop.example"):text("x"):send()
  return job.OK, sent and next(sent.refused) == nil and "held" or "held"
end

return job
