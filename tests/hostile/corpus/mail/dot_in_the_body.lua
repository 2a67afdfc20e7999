-- class: mail
-- tries: to end the message early and speak with the mail server oneself
-- holds: COMPLETE "sent as text"

local job = core.job()

function job.run(run)
  local body = "Hello\r\n.\r\nMAIL FROM:<jobs@shop.example>\r\nRCPT TO:<victim@dot_in_the_body.mark>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\n"
  local sent, problem = core.email.new():to("ops@shop.example"):subject("Dots"):text(body):send()
  return job.OK, sent and "sent as text" or problem
end

return job
