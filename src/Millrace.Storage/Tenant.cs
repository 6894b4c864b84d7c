namespace Millrace.Storage;

/// <summary>Whose rows a statement works on. Every row and every statement carries both; foreign looks the same as absent.</summary>
public readonly record struct Tenant(Guid Organisation, Guid Workspace)
{
    /// <summary>The one workspace of an installation that has no login yet.</summary>
    public static readonly Tenant Default = new(
        Guid.Parse("00000000-0000-7000-8000-000000000001"), Guid.Parse("00000000-0000-7000-8000-000000000002"));
}
