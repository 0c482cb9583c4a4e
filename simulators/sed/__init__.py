"""A simulated СЭД that exchanges folders of МЭДО 2.6."""
