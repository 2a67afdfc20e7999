"""Functions that belong to the answer of a web request: a job, which answers nobody, is told so."""

from moontide import CoreCall, CoreError, CoreModule, hookimpl

GENERAL = 810
ONLY_IN_A_REQUEST = "only in a web request"

# What jobs pass is dropped before it travels: it may be a function.
FUNCTION = """
local native = ...

--- Not for jobs: answers nothing, and says so.
---@param ... any
---@return nil nothing
---@return string problem
---@return integer code
return function(...) return native.call() end
"""
TABLE = """
local native = ...
local functions = {}
for name, call in pairs(native) do
  functions[name] = function() return call() end
end
return functions
"""

GEOIP = (
    "city",
    "continentCode",
    "countryCode",
    "countryCode3",
    "countryName",
    "latitude",
    "longitude",
    "postalCode",
    "region",
    "regionName",
)


def refusing(name: str, *functions: str, words: str = ONLY_IN_A_REQUEST) -> CoreModule:
    """Return a module whose functions answer `nil, words, 810`.

    Args:
        functions: their names; without any, the module itself is a function.
    """
    facade = TABLE if functions else FUNCTION
    module = CoreModule(name, summary=f"Not for jobs: {words}.", facade=facade, free=True)

    def refuse(call: CoreCall) -> None:
        raise CoreError(words, GENERAL)

    for function in functions or ("call",):
        module.function(function)(refuse)
    return module


modules = [
    refusing("api"),
    refusing("callApi"),
    refusing("countryCode"),
    refusing("error"),
    refusing("geoip", *GEOIP),
    refusing("pages", "new"),
    refusing("timer", words="core.timer needs the job to end; use core.jobs.after"),
]


@hookimpl
def moontide_core_modules() -> list[CoreModule]:
    """Return the modules that answer nothing."""
    return modules
