-- class: bytecode
-- tries: to require a library module that is compiled Lua
-- holds: ERROR "the file is compiled Lua; only source text is run"

local job = core.job()

function job.run(run)
  return job.OK, require("lib.compiled")
end

return job
