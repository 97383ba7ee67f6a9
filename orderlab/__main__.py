"""The door: `python3 -m orderlab COMMAND`; checks the Python before any line that an old one could not read."""

import os
import subprocess
import sys

try:
    from orderlab import PYTHONS
except ImportError:  # run by its path, as in `python3 orderlab lab`, and so without the folder around it
    FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    COMMAND = "python3 -m orderlab " + " ".join(sys.argv[1:])
    sys.exit('orderlab: run it as a module, from its folder: cd "' + FOLDER + '", then ' + COMMAND.strip())


def another_python():
    """Return the name of a fitting Python that runs on this machine, or None."""
    for version in PYTHONS:
        name = "python" + version
        try:
            subprocess.check_output([name, "-c", ""], stderr=subprocess.STDOUT)
        except (OSError, subprocess.CalledProcessError):  # absent, or a stand-in that only complains
            continue
        return name
    return None


def unfit():
    """Return one line that says what to do when this Python does not fit, else None. Reads on Python 2.7 too."""
    version = ".".join(str(number) for number in sys.version_info[:2])
    if version in PYTHONS:
        return None
    name = another_python()
    if name:
        remedy = "you have one, so run: {} -m orderlab {}".format(name, " ".join(sys.argv[1:]))
    else:
        remedy = "install one from https://www.python.org/downloads/ and run this command with it"
    line = "orderlab: this is Python {}, and OrderLab needs one of {}; {}"
    return line.format(version, ", ".join(reversed(PYTHONS)), remedy.strip())


if __name__ == "__main__":
    problem = unfit()
    if problem:
        sys.exit(problem)
    from orderlab.commands import main

    sys.exit(main(sys.argv[1:]))
