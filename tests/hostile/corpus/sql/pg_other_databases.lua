-- class: sql
-- tries: to look into databases of others on a server of the other kind
-- needs: pg
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local shown = core.pg.query("shop", "SELECT datname FROM pg_database") or {}
  for _, row in ipairs(shown) do
    if core.pg.query("shop", 'SELECT words FROM "' .. row.datname .. '".public.untouched') then return job.OK, row.datname end
  end
  local linked = core.pg.query("shop", "SELECT * FROM dblink('dbname=postgres', 'SELECT 1') AS t(x int)")
  return job.OK, linked and "linked" or "held"
end

return job
