namespace Millrace.Storage;

/// <summary>Whose rows a statement may see; every row and every statement carries it.</summary>
public readonly record struct Tenant(Guid Organisation, Guid Workspace)
{
    /// <summary>The one workspace there is while there is no login.</summary>
    public static readonly Tenant Default = new(
        new Guid("00000000-0000-7000-8000-000000000001"), new Guid("00000000-0000-7000-8000-000000000002"));
}
