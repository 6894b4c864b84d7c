using System.Security.Cryptography;
using System.Text;
using Millrace.Connectors.Imports;
using Millrace.Engine.Execution;
using Millrace.Storage;
using Millrace.Workflows.Documents;

namespace Millrace.Platform.Definitions;

/// <summary>Loads a document with all that it takes from elsewhere; functions may themselves name others.</summary>
public sealed class ImportedSource(Database database, ImportReader reader, ISecretSource secrets, TimeProvider time)
{
    /// <summary>Rounds of functions that name functions.</summary>
    private const int DepthMax = 10;

    /// <returns>What was found, with the last load's result; an import that could not be read is one of its findings.</returns>
    public async Task<(LoadResult Result, IReadOnlyCollection<Imported> Imports)> LoadAsync(Tenant tenant, string source, CancellationToken cancel)
    {
        var result = WorkflowLoader.Load(source);
        if (result.Missing.Count == 0) return (result, []);
        // A text that was pushed before is compiled with what was there then, and asks nobody.
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(source)));
        var known = await database.ReadAsync(unit => ImportStore.Of(unit, tenant, hash), cancel);
        if (known.Count > 0) result = WorkflowLoader.Load(source, known);
        using var limit = new CancellationTokenSource(ImportReader.TimeLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        for (var depth = 0; result.Missing.Count > 0; depth++)
        {
            foreach (var need in result.Missing)
                known[need.Address] = depth >= DepthMax || known.Count >= Imported.CountMax
                    ? new Imported(need.Address, null, $"a document is compiled with at most {Imported.CountMax} others, {DepthMax} deep.")
                    : await ReadAsync(tenant, need, limit, either.Token);
            result = WorkflowLoader.Load(source, known);
        }
        return (result, [.. known.Values.Where(i => i.Text is not null)]);
    }

    private async Task<Imported> ReadAsync(Tenant tenant, ImportNeed need, CancellationTokenSource limit, CancellationToken cancel)
    {
        try
        {
            return await reader.ReadAsync(need, tenant.Organisation, tenant.Workspace, name => secrets.Find(tenant, name), time, cancel);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return new Imported(need.Address, null, $"all that a document is compiled with has to be there within {ImportReader.TimeLimit.TotalSeconds} seconds.");
        }
    }
}
