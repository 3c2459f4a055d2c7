enum Icon {
    static let text = """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
        <path fill="#d9480f" d="M16 2c1 5-7 8-7 16a7 7 0 0 0 14 0c0-3-1-5-2-6 0 3-1 4-2 4 1-6-1-11-3-14z"/>
        <path fill="#ffc078" d="M16 14c0 3-3 4-3 7a3 3 0 0 0 6 0c0-3-2-4-3-7z"/>
        <path fill="#868e96" d="M4 27h24v3H4z"/>
        </svg>

        """
}
