import pathlib
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "common"))
from configured import run  # noqa: E402

run("h2o", HERE / "h2o.conf.in")
