-- class: metatables
-- tries: to give strings operators that the engine's own Lua would use
-- holds: COMPLETE {"n": 3, "text": "a-1"}

local job = core.job()

function job.run(run)
  function string.__add() return "forged" end
  function string.__concat() return "forged" end
  function string.__lt() return true end
  return job.OK, { n = "1" + 2, text = core.sf("%s-%d", "a", 1) }
end

return job
