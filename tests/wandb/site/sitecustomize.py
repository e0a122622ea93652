"""Makes `wandb agent` look after its runs every 0.5 s instead of every 5 s; nothing else is changed.
It has no option for that. Python imports this file at its start; PW_FULL=1 runs without it."""
import os
import sys

WORDS = [os.path.basename(word) for word in sys.orig_argv if word != '-m']
if WORDS[1:3] == ['wandb', 'agent']:
    import wandb.wandb_agent
    wandb.wandb_agent.Agent.POLL_INTERVAL = 0.5
