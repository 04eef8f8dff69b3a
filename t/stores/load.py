"""Load on a store, whose answers are judged."""

import threading
import time

from conftest import answer_of, path_of, wait_for


class Load(threading.Thread):
    """Sessions and ledger entries that are written and read all the time, each by one thread. What
    was answered is compared with what was written: errors are counted, wrong answers kept. An older
    value of the key means that an acknowledged write was lost, which replication without
    acknowledgement cannot exclude for what was written in the last moment."""

    def __init__(self, nginx, name, sessions):
        super().__init__()
        self.nginx, self.name, self.sessions = nginx, name, sessions
        self.wrong, self.errors, self.count = [], [], 0
        self.ended, self.crashed = threading.Event(), None
        self.good = 0  # right answers in a row
        self.written, self.doubtful, self.older, self.lost = {}, {}, {}, []
        self.start()

    def call(self, op, key, **words):
        connection = self.nginx.connect()
        try:
            connection.request("GET", path_of("/r", op, key, **words))
            answer = answer_of(connection)
        finally:
            connection.close()
        self.count += 1
        if answer.result == "error":
            self.errors.append((time.monotonic(), answer.text))
            self.good = 0
        else:
            self.good += 1
        return answer

    def check_read(self, op, key):
        answer = self.call(op, key)
        if answer.result == "error":
            return
        allowed = {self.written[key], *self.doubtful.get(key, ())}
        if answer.result == "hit" and answer.text in self.older.get(key, ()):
            self.was_lost(key, answer.text)
        elif answer.result == "miss" or answer.text not in allowed:
            self.wrong.append((op, key, answer, allowed))

    def done(self, key, value):
        if key in self.written:
            self.older.setdefault(key, set()).add(self.written[key])
        self.older.setdefault(key, set()).discard(value)
        self.written[key] = value
        self.doubtful.pop(key, None)

    def was_lost(self, key, found):
        self.lost.append((key, found, self.written[key]))
        self.older[key].discard(found)
        self.written[key] = found

    def write(self, op, key, value):
        answer = self.call(op, key, value=value)
        if answer.result == "hit":
            self.done(key, value)
        elif answer.result == "error":  # it may have been done, then or later
            self.doubtful.setdefault(key, []).append(value)
        else:
            self.wrong.append((op, key, answer, None))

    def replace(self, key, value):
        """Compare and set: a miss is right where an earlier one whose answer failed was done, or
        where the write before was lost."""
        before = self.written[key]
        answer = self.call("replace", key, generation=before[:8], value=value)
        if answer.result == "hit":
            self.done(key, value)
        elif answer.result == "error":
            self.doubtful.setdefault(key, []).append(value)
        else:  # what is there says why
            found = self.call("read", key)
            if found.result == "hit" and found.text in self.doubtful.get(key, ()):
                self.done(key, found.text)
            elif found.result == "hit" and found.text in self.older.get(key, ()):
                self.was_lost(key, found.text)
            elif found.result != "error":
                self.wrong.append(("replace", key, found, before))

    def run(self):
        try:
            self.work()
        except Exception as reason:  # end() says so
            self.crashed = reason

    def work(self):
        keys = [f"{self.name}{i}" for i in range(self.sessions)]
        round_ = 0
        for key in keys:
            self.write("insert", key, f"{round_:08} {key}")
            self.write("ledger_write", "ledger:" + key, f"{round_:08}")
        assert not self.errors and not self.wrong, (self.errors, self.wrong)
        while not self.ended.is_set():
            round_ += 1
            for i, key in enumerate(keys):
                self.check_read("read", key)
                if i % 3 == round_ % 3:
                    self.replace(key, f"{round_:08} {key}")
                    self.check_read("read", key)
                    self.write("ledger_write", "ledger:" + key, f"{round_:08}")
                self.check_read("ledger_read", "ledger:" + key)
                if self.ended.is_set():
                    return

    def end(self):
        self.ended.set()
        self.join(60)
        assert not self.is_alive() and self.crashed is None, self.crashed
        return self


def loaded(nginx, threads=3, sessions=20):
    """Load that is running well."""
    all_ = [Load(nginx, f"t{i}", sessions) for i in range(threads)]
    for each in all_:
        wait_for("load", lambda each=each: each.count > 4 * sessions, 30)
    return all_


def judge(loads, began=0.0, may_lose=0):
    """Ends the load: no wrong answer, no acknowledged write lost but that many."""
    for each in loads:
        each.end()
    wrong = [one for each in loads for one in each.wrong]
    assert not wrong, wrong[:3]
    lost = [one for each in loads for one in each.lost]
    assert len(lost) <= may_lose, lost[:may_lose + 3]
    errors = sum(len(each.errors) for each in loads)
    last = max((each.errors[-1][0] for each in loads if each.errors), default=began)
    return (f"the last error after {last - began:.2f} s; {errors} errors of "
            f"{sum(each.count for each in loads)} requests, {len(lost)} acknowledged writes lost",
            errors)


def recovered(loads, seconds=30):
    """Waits until each thread has had right answers alone for all of its keys."""
    def well(each):
        assert each.crashed is None, each.crashed
        return each.good > 4 * each.sessions
    wait_for("recovery", lambda: all(well(each) for each in loads), seconds)
