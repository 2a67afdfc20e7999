-- class: mail
-- tries: to send without end
-- holds: COMPLETE 5

local job = core.job()

function job.run(run)
  local sent = 0
  for i = 1, 40 do
    if core.email.new():to("ops@shop.example"):subject("Number " .. i):text("x"):send() then sent = sent + 1 end
  end
  return job.OK, sent
end

return job
