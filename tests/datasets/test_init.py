import subprocess
import sys


def test_import_is_light():
    # scikit-learn itself may import some of these: only what comes on top counts.
    code = (
        "import sys, sklearn.utils\n"
        "before = set(sys.modules)\n"
        "import sksuperpixel.datasets\n"
        "heavy = {'torch', 'matplotlib', 'pandas', 'pooch', 'requests', 'PIL', 'tifffile'}\n"
        "print(*heavy & (set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
