-- class: environment
-- tries: to reach Python through the bridge between the two languages
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  for _, name in ipairs({ "python", "lupa", "builtins", "eval", "jit", "ffi", "bit", "_PROMPT" }) do
    if rawget(_G, name) ~= nil or core[name] ~= nil then return job.OK, name end
  end
  return job.OK, "held"
end

return job
