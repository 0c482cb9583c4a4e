"""`gateway restore`: the same as `gateway db restore`."""

from gateway.commands import db, output

app = output.app("restore", "Вернуть копию в пустую базу · Restore into an empty database")
app.command()(db.restore)
