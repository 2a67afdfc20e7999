-- class: mail
-- tries: to add a header by an encoded word that a library decodes and writes out
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local words = { "=?utf-8?q?a=0d=0aX-Injected:_1?=", "=?utf-8?b?YQ0KWC1JbmplY3RlZDogMQ==?=", "=?x?q?=0aBcc:_victim@evil.example?=" }
  for _, word in ipairs(words) do
    if core.email.new():to("ops@shop.example"):subject(word):text("x"):send() then return job.OK, word end
    if core.email.new():to(word .. " <ops@shop.example>"):text("x"):send() then return job.OK, word end
  end
  return job.OK, "held"
end

return job
