-- class: sql
-- tries: to look into databases that belong to others
-- needs: mysql
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local rows = core.mysql.query("shop", "SELECT User, Password FROM mysql.user")
  local shown = core.mysql.query("shop", "SHOW DATABASES") or {}
  for _, row in ipairs(shown) do
    local name = row.Database
    if core.mysql.query("shop", "SELECT words FROM `" .. name .. "`.untouched") then return job.OK, name end
  end
  return job.OK, rows and "users" or core.mysql.query("shop", "GRANT ALL ON *.* TO CURRENT_USER()") and "granted" or "held"
end

return job
