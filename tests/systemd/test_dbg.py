import subprocess
from tests.systemd.test_lane import *
import signal, time
@pytest.mark.parametrize("shop", [(200, "killed")], indirect=True)
def test_dbg(lane, shop):
    shop.follow("delivered", 20)
    lane.run("systemctl", "kill", "--signal=KILL", "--kill-who=main", SERVICE)
    evs=[]
    note=shop._note
    shop._note=lambda e:(evs.append(e),note(e))
    try: print(shop.finish())
    except subprocess.TimeoutExpired: pass
    print([e for e in evs if e["outcome"] and not e["final"]][:5])
    print([e for e in evs if e["outcome"] =="unknown"][:15])
    shop._process.send_signal(signal.SIGUSR1)
    out=lane.run("pkill","-USR1","-f","shop.py",check=False)
    time.sleep(1)
    shop._process.kill()
    lane.run("pkill","-KILL","-f","shop.py",check=False)
    print(shop._process.communicate()[1][-3000:])
