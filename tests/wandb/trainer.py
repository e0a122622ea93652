"""The trainer of these tests: what W&B's contract asks of one, with each step as a switch.

    TRAINER_LOG      where it notes what happens, a line each: PID, word, argument
    TRAINER_HANDLE   signals that it handles, as "USR1,TERM"
    TRAINER_MARK     when it calls run.mark_preempting(): "handler", "init" or "never"
    TRAINER_SAVE     how long a save takes, seconds
    TRAINER_EXIT     the exit code after a save; default 128+n
    TRAINER_IMPORT   seconds until it has its handlers (its imports)
    TRAINER_PID_FILE where it writes its PID
    TRAINER_END      it ends by itself, with this code
"""
import os
import signal
import sys
import time


def note(*words):
    with open(os.environ['TRAINER_LOG'], 'a', encoding='ascii') as file:
        print(os.getpid(), *words, file=file)


note('begun', os.environ.get('WANDB_RUN_ID', '-'))
import wandb  # noqa: E402  (the first line is to come before a second of imports)

run = wandb.init(resume='allow')


def on_notice(signum, _):
    note('got', signal.Signals(signum).name[3:])
    if os.environ.get('TRAINER_MARK', 'handler') == 'handler':
        run.mark_preempting()
    time.sleep(float(os.environ.get('TRAINER_SAVE', '0.2')))
    note('saved')
    # No `with wandb.init()` around it: that would post 1 for any SystemExit.
    sys.exit(int(os.environ.get('TRAINER_EXIT', 128 + signum)))


time.sleep(float(os.environ.get('TRAINER_IMPORT', '0')))
for name in filter(None, os.environ.get('TRAINER_HANDLE', 'USR1').split(',')):
    signal.signal(getattr(signal, 'SIG' + name), on_notice)
if os.environ.get('TRAINER_MARK') == 'init':
    run.mark_preempting()
if 'TRAINER_PID_FILE' in os.environ:
    with open(os.environ['TRAINER_PID_FILE'], 'w', encoding='ascii') as pid_file:
        print(os.getpid(), file=pid_file)
note('ready', run.id, 'resumed' if run.resumed else 'new')
if 'TRAINER_END' in os.environ:
    sys.exit(int(os.environ['TRAINER_END']))
while True:
    time.sleep(0.02)
