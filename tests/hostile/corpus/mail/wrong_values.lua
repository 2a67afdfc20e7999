-- class: mail
-- tries: to confuse the building of a message by values that are no text
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local odd = { 0, -1, true, {}, { {} }, core.NULL, print, "", ("x"):rep(70000), "\xff\xfe", 2^63 }
  for _, value in ipairs(odd) do
    for _, method in ipairs({ "to", "from", "subject", "text", "html", "tag", "cc" }) do
      local msg = core.email.new():testMode(true):to("ops@shop.example")
      local _, sent, problem = pcall(function() return msg[method](msg, value):send() end)
      if type(problem) == "string" and problem:find("internal error") then return job.OK, { method, tostring(value) } end
    end
  end
  return job.OK, "held"
end

return job
