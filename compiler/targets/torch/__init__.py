"""The torch target: `module` is an `nn.Module`, `program` what torch.export makes of one."""
