"""Signed files for a department behind an air gap (断网交换, 光盘摆渡): one queue underneath, the same ids."""
