using System.Security.Cryptography;
using System.Text;
using Millrace.Storage;
using Millrace.Workflows.Documents;

namespace Millrace.Platform.Definitions;

/// <summary>What versions are compiled with from elsewhere, kept as it was when they were pushed.</summary>
internal static class ImportStore
{
    public static void Insert(DbUnit unit, Tenant tenant, string hash, IEnumerable<Imported> imports)
    {
        foreach (var imported in imports)
        {
            var content = Encoding.UTF8.GetBytes(imported.Text!);
            unit.Execute(
                "insert into definition_import (organisation, workspace, hash, address, sha256, content) values ($1, $2, $3, $4, $5, $6) on conflict (workspace, hash, address) do nothing",
                tenant.Organisation, tenant.Workspace, hash, imported.Address, Convert.ToHexStringLower(SHA256.HashData(content)), content);
        }
    }

    /// <exception cref="InvalidDataException">A content is not the one that was kept.</exception>
    public static Dictionary<string, Imported> Of(DbUnit unit, Tenant tenant, string hash)
    {
        var found = unit.Query(
            "select address, sha256, content from definition_import where organisation = $1 and workspace = $2 and hash = $3 order by address",
            row => (Address: row.Text(0), Sha256: row.Text(1), Content: row.Bytes(2)), tenant.Organisation, tenant.Workspace, hash);
        foreach (var one in found)
            if (Convert.ToHexStringLower(SHA256.HashData(one.Content)) != one.Sha256) throw new InvalidDataException($"What was imported from {one.Address} is damaged.");
        return found.ToDictionary(f => f.Address, f => new Imported(f.Address, Encoding.UTF8.GetString(f.Content)), StringComparer.Ordinal);
    }
}
