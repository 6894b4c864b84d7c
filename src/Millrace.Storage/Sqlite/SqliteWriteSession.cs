using Millrace.Storage.Writes;

namespace Millrace.Storage.Sqlite;

internal sealed class SqliteWriteSession(SqliteConnection connection, SqliteCheckpointer checkpointer) : WriteSession
{
    private readonly SqliteUnit _unit = new(connection);
    private int _changesAtBegin;
    private int _changesAtEnter;
    private bool _schemaChanged;

    public override DbUnit Unit => _unit;
    public override StorageFault? Broken => _unit.Fault;
    public override bool HasChanges => _schemaChanged || connection.TotalChanges != _changesAtBegin;
    public override long BytesBound => _unit.BytesBound;
    public override int GuardedGroups => 64;

    public override void Begin()
    {
        connection.ForgetFault();
        _unit.BytesBound = 0;
        _schemaChanged = false;
        connection.Execute("begin immediate");
        _unit.Begin();
        _changesAtBegin = connection.TotalChanges;
    }

    public override void Commit()
    {
        connection.Execute("commit");
        checkpointer.Written(connection.TakePagesWritten());
    }

    public override void Rollback()
    {
        if (connection.InTransaction) connection.Execute("rollback");
    }

    public override void Enter()
    {
        _unit.HasChangedSchema = false;
        _changesAtEnter = connection.TotalChanges;
        _unit.Enter();
    }

    public override bool Leave()
    {
        _unit.Leave();
        _schemaChanged |= _unit.HasChangedSchema;
        return _unit.HasChangedSchema || connection.TotalChanges != _changesAtEnter;
    }

    public override void CheckUnit()
    {
        _unit.CheckNotRefused();
        if (connection.HasDanglingReferences)
            throw new StatementException(StatementFailure.ForeignKey, "FOREIGN KEY constraint failed", "commit");
    }

    public override void SetSavepoint() => connection.Execute("savepoint unit");
    public override void ReleaseSavepoint() => connection.Execute("release unit");
    public override void RollbackToSavepoint() => connection.Execute("rollback to unit");
    public override void Maintain() => checkpointer.RestartLog(connection);
    public override void Dispose() => connection.Dispose();
}
