-- class: mail
-- tries: to write to the whole world at once
-- holds: COMPLETE 701

local job = core.job()

function job.run(run)
  local msg = core.email.new():text("x")
  for i = 1, 500 do msg:to("victim" .. i .. "@evil.example") end
  local sent, _, code = msg:send()
  return job.OK, sent and "sent" or code
end

return job
