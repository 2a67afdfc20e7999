-- class: mail
-- tries: to end the message early by lone line ends that servers read differently
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local ends = { "\n.\n", "\r.\r", "\r\n.\n", "\n.\r\n", "\r\n\0.\r\n", "\r.\r\n" }
  for _, odd in ipairs(ends) do
    local body = "Hello" .. odd .. "MAIL FROM:<a@shop.example>\r\nRCPT TO:<victim@dot_without_returns.mark>\r\nDATA\r\n\r\nx"
    core.email.new():to("ops@shop.example"):text(body):send()
  end
  return job.OK, "held"
end

return job
