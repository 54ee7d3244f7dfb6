"""What identifies a person (个人信息), one kind a file; ../mask.py puts placeholders in its stead."""
