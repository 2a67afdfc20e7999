-- class: sql
-- tries: to load a library of the machine into the engine
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local ways = { "SELECT load_extension('/lib/x86_64-linux-gnu/libc.so.6')", "SELECT load_extension('x', 'y')", "SELECT fts3_tokenizer('simple', x'4141414141414141')" }
  for _, sql in ipairs(ways) do
    if core.sqlite.query("notes", sql) then return job.OK, sql end
  end
  return job.OK, "held"
end

return job
