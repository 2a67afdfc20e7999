-- class: metatables
-- tries: to give strings operators that the engine's own Lua would use
-- holds: COMPLETE {"n": 3, "text": "a-1"}

local job = core.job()

function job.run(run)
  local operators = getmetatable("") or string
  if type(operators) ~= "table" then operators = string end
  function operators.__add() return "forged" end
  function operators.__concat() return "forged" end
  function operators.__lt() return true end
  return job.OK, { n = "1" + 2, text = core.sf("%s-%d", "a", 1) }
end

return job
