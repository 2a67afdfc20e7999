-- class: mail
-- tries: to fill the mail server
-- holds: COMPLETE 701

local job = core.job()

function job.run(run)
  local sent, _, code = core.email.new():to("ops@shop.example"):text("x"):attach("big.bin", ("x"):rep(1500000)):send()
  return job.OK, sent and "sent" or code
end

return job
