-- class: mail
-- tries: to talk the engine out of checking the server
-- holds: COMPLETE 702

local job = core.job()

function job.run(run)
  local sent, _, code = core.email.new():to("ops@shop.example"):text("x"):skipVerification(true):send()
  return job.OK, sent and "sent" or code
end

return job
