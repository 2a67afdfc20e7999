-- class: sql
-- tries: to break out of the quotes of names on a server
-- needs: mysql
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local names = { "toys` WHERE 1=1; DROP TABLE toys; -- ", "toys`", "`toys", "toys -- ", "toys\\`", "toys\0", "information_schema.tables`" }
  for _, name in ipairs(names) do
    core.mysql.delete("shop", { tbl = name, where = { id = 1 } })
    core.mysql.update("shop", { tbl = "toys", values = { [name] = "x" }, where = { id = 1 } })
    core.mysql.select("shop", { tbl = "toys", where = { [name] = 1 }, orderby = { [name] = "ASC" } })
  end
  for _, value in ipairs({ "x' OR '1'='1", "\\' OR 1=1 -- ", "\xbf' OR 1=1 -- ", "x\0' OR 1=1" }) do
    local rows = core.mysql.select("shop", { tbl = "toys", where = { name = value } })
    if rows and #rows > 0 then return job.OK, value end
    if (core.mysql.escape(value) or "''"):sub(2, -2):gsub("\\.", ""):gsub("''", ""):find("'") then return job.OK, "escape" end
  end
  local row = core.mysql.selectOne("shop", { tbl = "toys", where = { id = 1 } })
  return job.OK, row and row.name == "kite" and "held" or "gone"
end

return job
