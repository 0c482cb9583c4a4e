"""`gateway backup`: the same as `gateway db backup`."""

from gateway.commands import db, output

app = output.app("backup", "Снять копию базы и файлов на один момент · Back up as one point")
app.command()(db.backup)
