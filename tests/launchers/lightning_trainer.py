"""A training with PyTorch Lightning as it runs in a Slurm job; it prints "training" once it does."""
import os
import time

import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.environments import SLURMEnvironment
from torch.utils.data import DataLoader, TensorDataset


class Model(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def training_step(self, batch, _):
        if self.global_step == 1:
            print('training', flush=True)
        time.sleep(0.02)
        return self.layer(batch[0]).square().mean()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.01)


trainer = pl.Trainer(accelerator='cpu', devices=1, max_epochs=1000, logger=False,
                     enable_checkpointing=False, enable_progress_bar=False,
                     enable_model_summary=False, plugins=[SLURMEnvironment()],
                     default_root_dir=os.getcwd())
trainer.fit(Model(), DataLoader(TensorDataset(torch.ones(100000, 1)), batch_size=1))
print('finished', flush=True)
