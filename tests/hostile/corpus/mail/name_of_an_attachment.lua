-- class: mail
-- tries: to add headers by the name of an attachment
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  for _, name in ipairs({ 'a"\r\nX-Injected: 1\r\n\r\n', "a\r\nContent-Type: text/html", "a\0.txt", "=?utf-8?q?=0d=0a?=.txt" }) do
    local msg = core.email.new():to("ops@shop.example"):text("x"):attach(name, "content")
    if msg:send() then return job.OK, name end
  end
  return job.OK, "held"
end

return job
