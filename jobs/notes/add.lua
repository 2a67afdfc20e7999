-- Has no schedule: it runs when somebody asks.
--
--   moontide run notes/add --data '{"text": "Water the plants"}'
--
-- Start from it for: a task that is given its data each time.

local notes = require "lib.notes"

local job = core.job {
  description = "Add a note, on demand",
  timeout = "10s",
  tags = { kind = "example", shows = "run.data" },
}

function job.run(run)
  local text = type(run.data) == "table" and run.data.text
  if type(text) ~= "string" or core.trim(text) == "" then
    core.log.warn('nothing to add; give it a text: --data \'{"text": "Water the plants"}\'')
    return job.OK, { added = false }
  end

  text = core.trim(text)
  local note = { text = text, words = notes.count_words(text), added = os.time() }
  local id, problem = notes.source():save(note)
  if not id then error("the note could not be saved: " .. problem) end
  core.log("added note", id)
  return job.OK, { added = true, id = id, words = note.words }
end

return job
