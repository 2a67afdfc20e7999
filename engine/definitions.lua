--- The answers of `job.run`: what becomes of the job after this run.
---@class moontide.Code

--- What `job.run` gets.
---@class moontide.Run
---@field id integer The run's number.
---@field job moontide.JobName The job's name.
---@field data any What was given to this run; an empty table without.
---@field attempt integer 1 for the first, 2 for the first retry, and so on.
---@field trigger string Why it runs, such as "schedule" or "manual".
---@field due string When it was due, ISO 8601.
---@field user_id integer Who asked for it; 0 for nobody in particular.

--- What a job file returns.
---@class moontide.Job
---@field OK moontide.Code Run again at the schedule.
---@field SLEEP moontide.Code Run again 24 hours after this run started.
---@field STOP moontide.Code Run again after a reload or restart.
---@field EXIT moontide.Code Run no more until a person activates the job.
---@field RETRY moontide.Code Try this run again; a delay such as "5m" may follow.
---@field run? fun(run: moontide.Run): moontide.Code, any
local Job = {}

--- The minute, 0 to 59.
---@param in_zone? boolean true for the job's time zone, UTC without.
---@return integer
function Job.minute(in_zone) end

--- Keep a value as the run's info, whatever becomes of the run; the last call counts.
---@param info any The value; with a second argument, where to put that one, such as "copied.files".
---@param value? any
---@return boolean? ok
---@return string? message
---@return integer? code
function Job.save_info(info, value) end

--- Tell whether this run is to come to its end: somebody cancelled it, or the engine stops.
---@return boolean
function Job.stopping() end

--- Let the job be due once more before its next due time.
---@param time string|number Such as "2026-12-24T18:00:00", "10m", or seconds since 1970.
---@return boolean? ok
---@return string? reason
---@return integer? code
function Job.next(time) end

--- List a warning with the run, which goes on and can end COMPLETE.
---@param code string|integer
---@param text? string A template for the values, if there are any.
---@param ... any
---@return boolean? ok
---@return string? message
---@return integer? code
function Job.warn(code, text, ...) end

--- List an error with the run, which goes on; whatever it returns, its status will be ERROR.
---@param code string|integer
---@param text? string A template for the values, if there are any.
---@param ... any
---@return boolean? ok
---@return string? message
---@return integer? code
function Job.err(code, text, ...) end

--- Keep a value for the job's next runs until one of them ends COMPLETE; nil keeps nothing any more.
---@param value any
---@return boolean? ok
---@return string? message
---@return integer? code
function Job.save_state(value) end

--- Return what the job kept with save_state.
---@return any value
---@return string? message
---@return integer? code
function Job.get_state() end

--- Keep a value for all later runs of the job, however runs end; nil keeps nothing any more.
---@param value any
---@return boolean? ok
---@return string? message
---@return integer? code
function Job.persist(value) end

--- Return what the job kept with persist.
---@return any value
---@return string? message
---@return integer? code
function Job.persisted() end

--- The hour, 0 to 23.
---@param in_zone? boolean true for the job's time zone, UTC without.
---@return integer
function Job.hour(in_zone) end

--- The day of the week.
---@param in_zone? boolean true for the job's time zone, UTC without.
---@return "Mon"|"Tue"|"Wed"|"Thu"|"Fri"|"Sat"|"Sun"
function Job.day(in_zone) end

--- The day of the week as a number, 1 for Monday to 7 for Sunday.
---@param in_zone? boolean true for the job's time zone, UTC without.
---@return integer
function Job.dayNum(in_zone) end

--- The day of the month, 1 to 31.
---@param in_zone? boolean true for the job's time zone, UTC without.
---@return integer
function Job.dayMonth(in_zone) end

--- The week of the year, 0 to 53; the first Monday begins week 1.
---@param in_zone? boolean true for the job's time zone, UTC without.
---@return integer
function Job.weekNum(in_zone) end

--- The month, "Jan" to "Dec".
---@param in_zone? boolean true for the job's time zone, UTC without.
---@return string
function Job.month(in_zone) end

--- The month as a number, 1 to 12.
---@param in_zone? boolean true for the job's time zone, UTC without.
---@return integer
function Job.monthNum(in_zone) end

--- What stands for null in tables: NULL in SQL, null in JSON.
---@class moontide.Null

---@class core
---@field NULL moontide.Null
---@field ASC 1 Sort upwards.
---@field DESC -1 Sort downwards.
core = {}

--- Make the job object of this file.
---@param settings? moontide.JobSettings
---@return moontide.Job
function core.job(settings) end

---@class core.json
core.json = {}

--- Return a value as JSON; raises an error when that cannot be.
---@param value any
---@return string
function core.json.encode(value) end

--- Return what a JSON text holds; raises an error when it is none.
---@param text string
---@return any
function core.json.decode(text) end

---@class core.json_safe
core.json_safe = {}

--- Return a value as JSON.
---@param value any
---@return string? json
---@return string? problem
---@return integer? code
function core.json_safe.encode(value) end

--- Return what a JSON text holds.
---@param text string
---@return any value
---@return string? problem
---@return integer? code
function core.json_safe.decode(text) end

--- Return a text with values in the places of %s, %d and so on.
---@param format string
---@param ... any
---@return string
function core.sf(format, ...) end

--- Return a text without blanks at both ends.
---@param text string
---@return string? trimmed
---@return string? problem
---@return integer? code
function core.trim(text) end

--- Return the parts of a text.
---@param text string
---@param separator? string A comma without.
---@return string[]? parts
---@return string? problem
---@return integer? code
function core.split(text, separator) end

--- Return the MD5 hash of a text, in hexadecimal.
---@param text string
---@return string? hash
---@return string? problem
---@return integer? code
function core.md5(text) end

--- Return a new random identifier.
---@return string
function core.uuid() end
