-- class: sql
-- tries: to break out of the quotes of names
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  core.sqlite.query("notes", "CREATE TABLE IF NOT EXISTS kept (id INTEGER PRIMARY KEY, words TEXT)")
  core.sqlite.query("notes", "INSERT OR IGNORE INTO kept VALUES (1, 'here')")
  local names = { "kept` WHERE 1=1; DROP TABLE kept; --", 'kept"; DROP TABLE kept; --', "kept'; --", "kept\0", "kept; DELETE FROM kept", "`", "kept\\", "a.b.c.d" }
  for _, name in ipairs(names) do
    core.sqlite.delete("notes", { tbl = name, where = { id = 1 } })
    core.sqlite.update("notes", { tbl = "kept", values = { [name] = "gone" }, where = { id = 1 } })
    core.sqlite.select("notes", { tbl = "kept", columns = { name }, where = { [name] = 1 } })
    core.sqlite.insert("notes", { tbl = name, values = { id = 2 } })
    core.sqlite.select("notes", { tbl = "kept", orderby = { [name] = "DESC; DELETE FROM kept" } })
    core.sqlite.select("notes", { tbl = "kept", limit = name })
  end
  local row = core.sqlite.selectOne("notes", { tbl = "kept", where = { id = 1 } })
  return job.OK, row and row.words == "here" and "held" or "gone"
end

return job
